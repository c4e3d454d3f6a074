Bird.sing = (note) -> super note
