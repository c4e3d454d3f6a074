# What is wrong with a message; nothing when it is fine. The same on both sides.
exports.message = (text) ->
  return 'Write something first.' unless typeof text is 'string' and text.trim()
  return 'At most 500 letters, please.' if text.length > 500
