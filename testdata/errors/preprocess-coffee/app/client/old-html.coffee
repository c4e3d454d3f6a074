exports.html = (list) -> "#{item}" for item in list if list.length <max
