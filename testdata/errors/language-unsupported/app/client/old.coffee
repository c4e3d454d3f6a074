exports.x = -> 1
