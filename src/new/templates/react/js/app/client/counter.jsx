import { useEffect, useState } from 'react';

/** A number that all browsers share. */
export function Counter({ title }) {
  const [count, setCount] = useState(null);

  useEffect(() => {
    SS.events.on('count', setCount);
    SS.server.app.count().then(setCount);
    return () => SS.events.off('count', setCount);
  }, []);

  return (
    <main>
      <h1>{title}</h1>
      <p>Counted in all browsers together: {count ?? '…'}</p>
      <button onClick={() => SS.server.app.add(1)}>One more</button>
    </main>
  );
}
