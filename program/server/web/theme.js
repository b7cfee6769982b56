/* theme.js - light or dark: the system's choice until the button is pressed, then the user's, remembered by the
 * browser. Not a module, so that it runs before the first paint. */
(() => {
    const page = document.documentElement, system = matchMedia('(prefers-color-scheme: dark)');
    const remembered = () => {
        try {
            return localStorage.getItem('theme');
        } catch {
            return null; /* storage can be forbidden */
        }
    };
    const isDark = () => (page.dataset.theme ? page.dataset.theme === 'dark' : system.matches);
    const chosen = remembered();
    if (chosen === 'light' || chosen === 'dark') page.dataset.theme = chosen;

    addEventListener('DOMContentLoaded', () => {
        const button = document.getElementById('theme');
        const tell = () => button.setAttribute('aria-pressed', isDark());
        button.addEventListener('click', () => {
            page.dataset.theme = isDark() ? 'light' : 'dark';
            try {
                localStorage.setItem('theme', page.dataset.theme);
            } catch { /* for this visit only */
            }
            tell();
        });
        system.addEventListener('change', tell);
        tell();
    });
})();
