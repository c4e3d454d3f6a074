exports.config =

  http:
    port:         3000
    hostname:     "0.0.0.0"

  https:
    enabled:      false
    domain:       "www.example.com"

  api:
    enabled:      true
    prefix:       'api'
    https_only:   false

  browser_check:
    enabled:      false
    strict:       true

  # The app's own
  db:
    lines:        20
