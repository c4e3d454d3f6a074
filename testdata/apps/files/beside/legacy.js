// as it is: no module of the app
