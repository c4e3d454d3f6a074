fs = require 'fs'
helper = require './nowhere'

exports.a = -> SS.client.bare.nothing(); SS.shared.x.y()
exports.then = 1
