import '../app/server/app';
