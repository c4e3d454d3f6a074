window.z = 1;
