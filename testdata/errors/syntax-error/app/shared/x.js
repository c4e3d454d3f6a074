const a = 'open;
