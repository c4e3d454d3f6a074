exports.name = (session) => session.user_id;
