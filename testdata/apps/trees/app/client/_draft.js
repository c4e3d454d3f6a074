this is not even a script
