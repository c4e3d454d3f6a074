exports.later = () => import('./later').then((m) => m.answer);
