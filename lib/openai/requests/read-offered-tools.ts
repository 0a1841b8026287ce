import { toFieldFault } from '../../ollama/requests/field-faults.ts';
import { checkFreeForm } from '../../ollama/requests/free-form.ts';
import { readTools } from '../../ollama/requests/read-tools.ts';
import { readText } from '../../ollama/requests/read-values.ts';
import { isObject } from '../../ollama/json-object.ts';

/**
 * The `tools` that the model is shown: none where `tool_choice` is "none". Ollama cannot be made to
 * call one, so every other choice leaves them as they are. @throws GatewayError names the field
 */
export function readOfferedTools(tools: unknown, choice: unknown): object[] | undefined {
  const offered = readTools(tools);
  return isNone(choice) ? undefined : offered;
}

function isNone(choice: unknown): boolean {
  if (isObject(choice)) {
    checkFreeForm(choice, 'tool_choice');
    return false;
  }
  if (choice !== undefined && choice !== null && typeof choice !== 'string') {
    throw toFieldFault('tool_choice', 'a string or an object');
  }
  return readText(choice, '', 'tool_choice') === 'none';
}
