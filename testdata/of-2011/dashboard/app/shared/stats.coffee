
sum = (list) -> list.reduce ((a, b) -> a + b), 0

exports.mean = (list) -> if list.length then sum(list) / list.length else null
exports.format = (n) -> (Math.round(n * 10) / 10).toString()
