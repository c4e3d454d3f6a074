class Bird extends Animal
  constructor: (@name) ->
    super

  sing: -> super
