import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * What stands for Ollama: our demo model server, under the unit, the user and the settings that Ollama's
 * installer makes, with its port opened as most do it. It listens where OLLAMA_HOST says.
 */
const OLLAMA = `#!/bin/sh
host=\${OLLAMA_HOST:-127.0.0.1:11434}
address=\${host%:*}
case $address in "["*) address=\${address#[}; address=\${address%]} ;; esac
exec /opt/nzgw/bin/node /opt/nzgw/dist/bin/quickstart/demo-server-main.js --host "$address" --port "\${host##*:}"
`;

const UNIT = `[Unit]
Description=Ollama Service
After=network-online.target

[Service]
ExecStart=/usr/local/bin/ollama serve
User=ollama
Group=ollama
Restart=always
RestartSec=3
Environment="PATH=/usr/local/bin:/usr/bin:/bin"

[Install]
WantedBy=default.target
`;

const OVERRIDE = `[Service]
Environment="OLLAMA_HOST=[::]:11434"
`;

const SELF_TEST = `[Unit]
Description=Looks at the deployment from within
After=network.target dbus.service systemd-journald.service
SuccessAction=poweroff
FailureAction=poweroff

[Service]
Type=oneshot
ExecStart=/opt/nzgw/bin/node /mnt/repo/test/deploy/systemd/inside/main.ts
TimeoutStartSec=900
StandardOutput=file:/mnt/out/output.txt
StandardError=inherit
ExecStopPost=/bin/sh -c 'journalctl --no-pager --boot > /mnt/out/journal.txt'

[Install]
WantedBy=multi-user.target
`;

/** A rule set that takes its time: whoever does not wait for it is flushed. */
const SLOW_RULES = `[Service]
ExecStartPre=/bin/sleep 1
`;

const FILES: Readonly<Record<string, string>> = {
  'usr/local/bin/ollama': OLLAMA,
  'etc/systemd/system/ollama.service': UNIT,
  'etc/systemd/system/ollama.service.d/override.conf': OVERRIDE,
  'etc/systemd/system/nftables.service.d/slow.conf': SLOW_RULES,
  'etc/systemd/system/nzgw-self-test.service': SELF_TEST,
};

/** Run in it, not booted, once a release is installed. */
export const ENABLE = `useradd -r -s /bin/false -U -m -d /usr/share/ollama ollama
systemctl enable ollama nzgw-self-test`;

/** Writes the files of the stand-in, and of the test that runs when the system is booted. */
export async function addStandIn(path: string): Promise<void> {
  for (const [name, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
  }
  await chmod(join(path, 'usr/local/bin/ollama'), 0o755);
}
