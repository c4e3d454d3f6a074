// Who may come in: anybody with a name and a password that follow the rules. A real app would ask its database here.

exports.authenticate = function (params, cb) {
  const { validate } = SS.shared;
  const name = validate.name(params && params.name);
  if (name.problem) return cb({ success: false, field: 'name', info: name.problem });
  const password = validate.password(params.password, name.value);
  if (password.problem) return cb({ success: false, field: 'password', info: password.problem });
  cb({ success: true, user_id: name.value });
};
