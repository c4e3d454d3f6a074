class Bird extends Animal
  constructor: (name) ->
    @name = name
    super()
