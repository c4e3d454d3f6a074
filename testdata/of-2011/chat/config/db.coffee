global.LINES = SS.config.db.lines
