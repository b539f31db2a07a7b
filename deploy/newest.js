// What nginx remembers between requests: the newest change of which it passed an answer on. Each request bears it to its
// worker, which answers from that change or a later one. So nobody is shown a version and then an older one by another
// worker, and whoever wrote sees it at once, whichever worker they come to.
const memory = ngx.shared.newest;

function seq() {
    return String(memory.get('seq') || 0);
}

// Called before the first byte of an answer goes out. Read and set are one step, as there is one process of nginx.
function remember(r) {
    const answered = Number(r.headersOut['Atlas-Seq']);
    if (answered > (memory.get('seq') || 0)) {
        memory.set('seq', answered);
    }
    // The number counts private changes: only who wrote is told it.
    const isWrite = r.method !== 'GET' && r.method !== 'HEAD' && r.headersIn.Authorization && r.status < 300;
    if (!isWrite) {
        delete r.headersOut['Atlas-Seq'];
    }
}

export default { seq, remember };
