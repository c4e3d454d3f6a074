// Shared by all, as long as the server runs.
let count = 0;

export const actions = {
  count() {
    return count;
  },

  add(number) {
    count += Number(number) || 0;
    SS.publish.broadcast('count', count);
    return count;
  },
};
