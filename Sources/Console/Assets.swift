import LemonSqueezy

/// A file of the pages: its address holds the digest of its bytes, so that it may be kept for ever.
struct Asset: Sendable {
    let name: String
    let type: String
    let bytes: [UInt8]

    init(_ stem: String, _ suffix: String, type: String, _ text: String) {
        bytes = Array(text.utf8)
        let digest = SHA256.digest(bytes).prefix(8).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
        name = "\(stem)-\(digest).\(suffix)"
        self.type = type
    }

    static let style = Asset("console", "css", type: "text/css; charset=utf-8", styleSheet)
    static let script = Asset("console", "js", type: "text/javascript; charset=utf-8", scriptText)
    static let icon = Asset(
        "icon", "svg", type: "image/svg+xml",
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'><rect width='8' height='8' rx='2' fill='#3a5bc7'/></svg>"
    )

    static let all = [style, script, icon]
}

private let styleSheet = """
    :root{color-scheme:light dark;--ink:#1c2024;--soft:#5b636d;--line:#e2e5e9;--ground:#fff;--raised:#f6f7f9;\
    --accent:#3a5bc7;--on:#fff;--good:#1f7a45;--warn:#8f5a00;--bad:#b3261e}
    @media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#a0a8b3;--line:#30353c;--ground:#15181c;\
    --raised:#1d2126;--accent:#9db4ff;--on:#15181c;--good:#6fd19a;--warn:#e8b45c;--bad:#ff9a92}}
    *{box-sizing:border-box}
    body{margin:0;background:var(--ground);color:var(--ink);font:14px/1.5 system-ui,sans-serif;\
    font-variant-numeric:tabular-nums}
    a{color:var(--accent);text-underline-offset:2px}
    :focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:3px}
    .skip{position:absolute;left:-99em}.skip:focus{left:8px;top:8px;background:var(--ground);padding:8px}
    header{border-bottom:1px solid var(--line);background:var(--raised)}
    header div,main,footer{max-width:1200px;margin:0 auto;padding:0 20px}
    header div{display:flex;flex-wrap:wrap;align-items:center;gap:4px 20px;min-height:48px}
    header strong{font-weight:650}
    nav{display:flex;flex-wrap:wrap;gap:2px;flex:1}
    nav a{padding:6px 10px;border-radius:6px;color:var(--soft);text-decoration:none}
    nav a:hover{color:var(--ink)}nav a[aria-current]{color:var(--ink);background:var(--line);font-weight:600}
    main{padding-top:24px;padding-bottom:32px}
    h1{font-size:22px;line-height:1.3;margin:0 0 4px;font-weight:650;overflow-wrap:anywhere}
    h2{font-size:15px;margin:32px 0 8px;font-weight:650}
    p{margin:0 0 12px}.soft,small,dt,th,footer{color:var(--soft)}
    small{font-size:12px}
    .scroll{overflow-x:auto;border:1px solid var(--line);border-radius:8px}
    table{border-collapse:collapse;width:100%}
    th{font-weight:500;font-size:12px;background:var(--raised)}
    th,td{text-align:left;padding:7px 12px;border-bottom:1px solid var(--line);vertical-align:top}
    tr:last-child td{border-bottom:0}
    .n{text-align:right}td.n{white-space:nowrap}time{white-space:nowrap}
    code,pre{font:12.5px/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
    pre{white-space:pre-wrap;background:var(--raised);border:1px solid var(--line);border-radius:8px;padding:12px;\
    margin:0 0 12px}
    dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;margin:0 0 16px}dd{margin:0;overflow-wrap:anywhere}
    .outcome{font-weight:600;white-space:nowrap}.applied,.unchanged{color:var(--good)}
    .parked,.quarantined{color:var(--warn)}.failed,.rejected{color:var(--bad)}
    .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;list-style:none;padding:0;margin:16px 0}
    .tiles a{display:block;padding:12px 16px;border:1px solid var(--line);border-radius:8px;text-decoration:none;color:inherit}
    .tiles a:hover{border-color:var(--accent)}.tiles b{display:block;font-size:26px;line-height:1.2;font-weight:600}
    form.row{display:flex;flex-wrap:wrap;gap:8px 12px;align-items:end;margin:12px 0 16px}
    label{display:block;font-size:12px;color:var(--soft)}
    input,select,button{font:inherit;color:inherit;background:var(--ground);border:1px solid var(--soft);border-radius:6px;\
    padding:6px 10px;min-height:34px;max-width:100%}
    button{cursor:pointer}button.main{background:var(--accent);border-color:var(--accent);color:var(--on);font-weight:600}
    .acts{display:flex;flex-wrap:wrap;gap:6px 14px}
    .note{border-left:3px solid var(--accent);background:var(--raised);padding:10px 14px;margin:0 0 16px;border-radius:0 6px 6px 0}
    .note.bad{border-color:var(--bad)}
    ol.line{list-style:none;margin:0;padding:0 0 0 16px;border-left:2px solid var(--line)}
    ol.line li{margin:0 0 16px}ol.line div{font-weight:550;overflow-wrap:anywhere}
    ol.line code{display:block;color:var(--soft)}
    svg{display:block;width:100%;max-width:260px;height:10px}.used{fill:var(--accent)}.left{fill:var(--line)}
    footer{padding-bottom:32px;font-size:12px}footer code{font-size:12px}
    @media(max-width:600px){header div,main,footer{padding-left:14px;padding-right:14px}dl{grid-template-columns:1fr;gap:0}\
    dd{margin-bottom:8px}}
    """

/// `/` searches; a form is sent once; a live part is loaded anew while nobody looks elsewhere or types.
private let scriptText = """
    "use strict";
    addEventListener("keydown",e=>{if(e.key!=="/"||e.ctrlKey||e.metaKey||e.altKey||/INPUT|SELECT|TEXTAREA/.test(e.target.tagName))return;
    const f=document.querySelector("[type=search]");if(f){e.preventDefault();f.focus()}});
    addEventListener("submit",e=>{const f=e.target;if(f.dataset.sent){e.preventDefault();return}f.dataset.sent="1"});
    addEventListener("pageshow",()=>{for(const f of document.forms)delete f.dataset.sent});
    const live=document.querySelector("[data-live]");
    if(live)setInterval(async()=>{if(document.hidden||live.contains(document.activeElement)||document.activeElement.form)return;
    try{const r=await fetch(location.href,{cache:"no-store"});if(!r.ok||r.redirected)return;
    const d=new DOMParser().parseFromString(await r.text(),"text/html").querySelector("[data-live]");
    if(d)live.replaceChildren(...d.childNodes)}catch{}},10000);
    """
