"""Parts of the pages that share settings and answers, and of the page that shows a shared capsule."""
