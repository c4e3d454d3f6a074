exports.actions = {
  'list-all'() {},
  deep: { 'a-b'() {}, 'a--b'() {}, fine() {} },
  listAll() {},
};
