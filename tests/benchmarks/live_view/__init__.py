"""How fast tokens reach the screen: Tempera's live answer against other pages, in one run and one real Chromium.

    python -m tests.benchmarks.live_view [--tokens 500 2000] [--rate 100] [--gradio-python PATH]
    python -m tests.benchmarks.live_view --tokens 8000 --rate 400
    python -m tests.benchmarks.live_view --rate 0     # 20,000 tokens as fast as they go
    python -m tests.benchmarks.live_view --lanes 4    # several answers side by side, on the compare page
    python -m tests.benchmarks.live_view --waits --times 15 [--lanes 4]  # first text, page ready, page switch, reload
    python -m tests.benchmarks.live_view --widgets [--lanes 8]     # how soon widgets answer while answers stream
    python -m tests.benchmarks.live_view --clients 50 --rate 50    # many visitors, without a browser
    python -m tests.benchmarks.live_view --server-cpu [--lanes 4]  # the server's CPU per token, watched and not

**What is measured.** A source, in a process of its own, sends numbered words (" a17") and notes the wall clock just
before each goes out. In the page a loop looks after every frame for the last number in the answer and notes the page's
clock: every word up to that number is on the screen then. The difference is the lag of that word, from the source's
socket to a finished frame. The page is read in a message sent by the frame's callback, so that all changes in the same
frame count for it; only the end of the last piece of text is read. "On the screen" means in the document when a frame
ends, including text scrolled out of sight or still fading in. At the end all words are read once more and counted.

**The page's clock** is ``performance.timeOrigin + performance.now()``. How far it is from the source's is measured
after each stream, and the largest difference stands below each table.

**The rivals** come one after the other, each with a fresh server, source and page; how each is served is in
``rivals.py``:

- the bare page: a few lines of script that append received text to one text node, without a server in between;
- ``st.write_stream``: the shortest Streamlit app that does it, with Streamlit's defaults;
- Gradio: a ``ChatInterface`` over a generator, when ``--gradio-python`` names a Python that has Gradio;
- llama.cpp's own web page, out of the ``xllamacpp`` wheel, when the embedded model's weights are on this machine;
- Tempera, as ``streamlit run app.py`` starts it.

Several answers side by side are those of the bare page and of Tempera's compare page, which begins with a draft that is
kept in its log before it starts: so many lanes, each with another seed (``comparison.py``). The figures are of all
lanes together. The goals for four lanes of 2,000 tokens at 100 per second: a lag of at most twice the bare page's in
the median and three times in the 95th percentile, no more bytes per token than for 500 tokens, and less than 1.5
seconds of the server's CPU in all.

**Tempera's own numbers** (``own_numbers.py``) of each lane, time to first token and tokens per second, are read from
its log and compared with the source, which records the times of the whole request and of the first and last token.
The largest difference of all lanes stands below the table. It should be within 5 ms, and within 1 %.

**The other figures.** Bytes: the payload of the page's WebSocket messages and the bodies of its fetches, from the click
on Run to a second after the last word. CPU: of the server and its children, and of Chromium's renderers, from the click
to the last word, or until twenty quiet seconds have passed, including the click itself. Where the source itself serves
the page, there is no server to count. Run to first token: from the click as the page sees it. Source
late: how far behind its own schedule each token went out; the lag does not contain it.

**Widgets** (``widgets.py``): from the event that touches one to the end of the first frame that shows its effect, first
at rest, then while streams run; shortly before they end, others are run on a fresh page. Those of the playground are
measured there. A button of the page, one in a fragment and one in a dialog are on ``apps/touched.py``, a small page
beside one live answer; the dialog is opened while the answer streams. With several lanes, widgets of the compare page
are measured in their place; while eight lanes stream, 95 of 100 should answer within 300 ms.

**Waits** (``waits.py``): from the click on Run to the frame in which every lane has its first word, where the source
answers at once; from an address to the frame with the button Run, in a browser without a cache, beside a Streamlit app
with as many widgets (``apps/form.py``); from the click on another page to its first frame; from a reload to the text of
every lane, while lanes stream. All views are served at once and take turns.

**Many visitors** (``crowd.py``): clients in one process of their own open a Streamlit session each, whose script draws
the playground, and its live socket, which watches the answer as Markdown and the status as a page does. All press *Run*
at once, and note when each message came; the lag is that of every token sent while all had text. Each visitor's text is
compared with what was sent, word for word. They are visitors of a demo, each with a log of its own.

**The server's CPU** (``server_cpu.py``; for many visitors, too): in the middle of the streams, from a second after the
last one has begun to before the first one ends, over the tokens that the source sent in that time. After the runs that
are watched, the same server does the same without watchers, which is the cost of requests, log and runs. The
difference is the cost of the view. CPU times of processes that are mostly idle are noisy on virtual machines: it is
measured ``--times`` times, and the median and the range are printed. Both use Tempera's own pages and a server with
one more route, which starts the unwatched runs (``apps/bench.py``).

**Overhead.** The loop makes Chromium draw every frame, even without changes. The driver, Playwright, receives every
WebSocket message, which slows pages with much traffic on a machine with few cores. Nothing is asserted, and only
figures of one run are comparable.
"""
