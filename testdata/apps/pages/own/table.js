exports.table = (rows) => rows.join();
