#!/bin/sh
# Makes ./secrets for docker-compose.yml, as root: random passwords, and the addresses that hold them.
# A secret of compose is a file of the host with its owner and mode, so each belongs to the user that
# reads it in its container, and to nobody else. Keep a copy of key_pepper in a safe place: without it
# no API key is valid any more.
set -eu

GATEWAY=10001 # of our image
STORE=999     # of the images of Postgres and of Redis

cd "$(dirname "$0")/../.."
if [ "$(id -u)" -ne 0 ]; then
  echo "to be run as root: the files get other owners" >&2
  exit 1
fi
if [ -e secrets ]; then
  echo "secrets/ is there already: nothing is made anew" >&2
  exit 1
fi

# Under another name until all is there: half a set would look like a whole one to the next run.
umask 077
rm -rf secrets.new
mkdir secrets.new

# write OWNER NAME VALUE
write() {
  printf '%s' "$3" >"secrets.new/$2"
  chown "$1:$1" "secrets.new/$2"
  chmod 0400 "secrets.new/$2"
}

# 256 bits, in letters that need no escape in a URL or in SQL
make_secret() {
  od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n'
}

write "$STORE" postgres_password "$(make_secret)"
for role in owner gateway admin; do
  password=$(make_secret)
  write "$STORE" "postgres_${role}_password" "$password"
  write "$GATEWAY" "${role}_database_url" "postgres://nzgw_$role:$password@postgres:5432/nzgw"
done

# Redis keeps the password's SHA-256. Whoever has no password may ping, which is the health check.
password=$(make_secret)
digest=$(printf '%s' "$password" | sha256sum | cut -d ' ' -f 1)
write "$STORE" redis_users "user default on nopass resetkeys resetchannels -@all +ping
user nzgw on #$digest ~nz1:* resetchannels +@all -@admin -@dangerous +info
"
write "$GATEWAY" redis_url "redis://nzgw:$password@redis:6379"

write "$GATEWAY" key_pepper "$(make_secret)"

# These are read by users of containers, who are not the owner of this clone; under a strict umask git
# has made them for their owner alone, and Postgres would leave its volume half prepared.
chmod a+r deploy/Caddyfile deploy/compose/create-roles.sql deploy/compose/pull.sh

mv secrets.new secrets
echo "secrets/ is made"
