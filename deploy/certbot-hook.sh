#!/bin/sh
# certbot certonly --webroot -w /var/lib/talk/webroot -d www.example.com --deploy-hook /srv/talk/deploy/certbot-hook.sh
set -eu
folder="${1:-/etc/talk/ssl_certs}"
# The group of the user that ssserve runs as.
group="${2:-talk}"
# The key first: until both fit together, ssserve keeps the pair before.
install -m 640 -g "$group" "$RENEWED_LINEAGE/privkey.pem" "$folder/site.key.pem"
install -m 644 -g "$group" "$RENEWED_LINEAGE/fullchain.pem" "$folder/site.cert.pem"
