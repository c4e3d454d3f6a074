exports.token = process.env['API_TOKEN'] + process.env?.OTHER;
