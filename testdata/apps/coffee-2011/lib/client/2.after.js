window.second = window.greeting("lib");
