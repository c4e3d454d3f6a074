var e = exports;
e.value = 1;
