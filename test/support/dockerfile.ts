import { readFile } from 'node:fs/promises';
import { ROOT } from '../../lib/root.ts';

export interface Instruction {
  /** In capitals. */
  readonly name: string;
  /** Continued lines as one, blanks as one. */
  readonly value: string;
}

/** Its stages, in order; what stands before the first FROM is the stage 0. */
export async function readDockerfile(): Promise<readonly (readonly Instruction[])[]> {
  const text = await readFile(new URL('Dockerfile', ROOT), 'utf8');
  const stages: Instruction[][] = [[]];
  for (const instruction of toInstructions(text)) {
    if (instruction.name === 'FROM') stages.push([]);
    stages.at(-1)?.push(instruction);
  }
  return stages;
}

/** Every value of one instruction in a stage. */
export function valuesOf(stage: readonly Instruction[], name: string): readonly string[] {
  return stage.filter((instruction) => instruction.name === name).map(({ value }) => value);
}

function toInstructions(text: string): readonly Instruction[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !/^\s*#/.test(line));
  const whole = lines.join('\n').replace(/\\\n/g, ' ');
  return whole.split('\n').map((line) => {
    const [, name = '', value = ''] = /^(\w+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (name === '') throw new Error(`no instruction of a Dockerfile: ${line}`);
    return { name: name.toUpperCase(), value: value.replace(/\s+/g, ' ') };
  });
}
