// Runs before the first paint so that a remembered theme never flashes in the other one.
// A file of its own because the content security policy allows no inline script.
(() => {
  let chosen = 'auto';
  try {
    chosen = window.localStorage.getItem('sallyport-appearance') || 'auto';
  } catch {
    // No storage in this window: follow the system.
  }
  const dark =
    chosen === 'dark' || (chosen !== 'light' && window.matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
