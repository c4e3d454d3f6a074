exports.circumference = (radius = 1) ->
  2 * estimatePi() * radius

exports.rounded = (number) -> Math.round(number * 100) / 100

# By the formula of Leibniz.
estimatePi = ->
  sum = 0
  sum += (if n % 2 is 0 then 4 else -4) / (2 * n + 1) for n in [0...20000]
  sum
