// Called once, when the connection is there and the page is loaded.
exports.init = async function () {
  const greeting = await SS.server.app.greet(SS.config.title);
  document.getElementById('content').textContent = greeting;
};
