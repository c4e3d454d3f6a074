
exports.config =
  http:
    port: process.env.PORT || 3000
  limiter:
    enabled: true
    websockets:
      rps: 30
  client:
    map: {width: 100, height: 50}
    log: {level: 1}
