global.M = {started: true}
