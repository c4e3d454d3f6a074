
exports.show = (path) -> $('#admin').text "admin: #{path}"
