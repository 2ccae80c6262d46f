"""Parts of the pages that pass settings and answers on, and of the page that shows what was passed on."""
