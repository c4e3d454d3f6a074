# Ein Kommentar: ä, 😀
exports.größe = "😀é" + (
