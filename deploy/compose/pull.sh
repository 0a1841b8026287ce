#!/bin/sh
# Fetches a model into the volume that Ollama's service reads: `docker compose run --rm pull MODEL`.
set -eu
model=${1:?usage: docker compose run --rm pull MODEL}

# `ollama pull` asks a server to do it.
ollama serve &
left=60
until ollama list >/dev/null 2>&1; do
  left=$((left - 1))
  if [ "$left" -eq 0 ]; then
    echo "the server did not come up" >&2
    exit 1
  fi
  sleep 1
done
ollama pull "$model"
