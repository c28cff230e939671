// Where an operator looks next.
export function Footer() {
  return (
    <footer class="footer">
      <p>A Throng node, serving this page and the conversation.</p>
      <nav aria-label="Operation">
        <a href="/health">Health</a>
        <a href="/metrics">Metrics</a>
        <a href="/api/docs">API</a>
      </nav>
    </footer>
  );
}
