exports.known =
  London: [51.5, -0.1]
  Paris: [48.9, 2.4]
  'New York': [40.7, -74]
