import { runBodyTask } from '../lib/http/body-task.ts';

/** Entry of the `bodies` pool: large request bodies are parsed and made anew here. */
export default runBodyTask;
