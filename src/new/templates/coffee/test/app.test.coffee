describe 'saying something', ->

  it 'reaches everybody', ->
    other = await connect()
    expect(await SS.server.app.say 'hello').toEqual {sent: true}
    message = await other.next 'message'
    expect(message.text).toBe 'hello'

  it 'wants words', ->
    {problem} = await SS.server.app.say '  '
    expect(problem).toBeTruthy()
