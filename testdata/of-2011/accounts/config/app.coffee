
exports.config =
  http: {port: 3000, hostname: '0.0.0.0'}
  api:
    enabled: yes
    auth:
      basic:
        module_name: "custom_auth"
        realm: 'Accounts'
  browser_check:
    enabled: true
    strict: true
  users:
    online:
      keep_historic: false
