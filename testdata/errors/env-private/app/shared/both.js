exports.where = () => process.env.HOST.toLowerCase();
