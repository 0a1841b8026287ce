import type { Target } from './libraries.ts';

/** What is set by the environment counts at its first start; after that its own pages decide. */
export function toOpenWebui({ url }: Target): string {
  const { hostname } = new URL(url);
  const inside = /^(?:localhost|127\..*|\[::1\])$/.test(hostname)
    ? `
      # In a container ${hostname} is the container: name the machine instead (nzgw connect --url).`
    : '';
  return `# compose.yaml; later changes are made in Admin Settings, Connections
services:
  open-webui:
    image: ghcr.io/open-webui/open-webui:main
    ports: ['127.0.0.1:3000:8080']
    volumes: ['open-webui:/app/backend/data']
    environment:${inside}
      OPENAI_API_BASE_URL: '${url}/v1'
      OPENAI_API_KEY: '\${NZGW_API_KEY:?}'
      ENABLE_OLLAMA_API: 'false'
volumes:
  open-webui:`;
}

/** Continue does not look into the environment of its editor, but into a file of its own. */
export function toContinue({ url, model }: Target): string {
  return `# ~/.continue/config.yaml; the key stands in ~/.continue/.env, as NZGW_API_KEY=...
name: neuronetz-gateway
version: 1.0.0
schema: v1
models:
  - name: '${model}'
    provider: ollama
    model: '${model}'
    apiBase: '${url}'
    apiKey: \${{ secrets.NZGW_API_KEY }}
    roles: [chat, edit, apply]`;
}

/** An argument would show the key to everyone on the machine; printf is the shell's own. */
export function toCurl({ url, model }: Target): string {
  return `# The key comes by stdin, so that no list of processes shows it.
printf 'Authorization: Bearer %s\\n' "$NZGW_API_KEY" |
  curl -sS '${url}/v1/chat/completions' -H @- -H 'Content-Type: application/json' \\
    -d '{"model":"${model}","messages":[{"role":"user","content":"hello"}]}'`;
}
