/// Quiet and dense: system fonts, one colour that leads, figures that stand below each other. Colours have a contrast of 4.5
/// and more on both grounds.
let styleSheet = """
    :root{color-scheme:light dark;--ink:#1b1f24;--soft:#59636e;--line:#e1e5ea;--ground:#fff;--raised:#f6f7f9;\
    --accent:#3f5bd1;--pale:#c3ccf3;--on:#fff;--good:#1a7f42;--warn:#8a5300;--bad:#b42318;--amber:#d99a2b;--red:#d1453b}
    @media(prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#9ea7b3;--line:#2c323a;--ground:#14171b;\
    --raised:#1b1f25;--accent:#9fb2ff;--pale:#3a4778;--on:#14171b;--good:#6ccf98;--warn:#e5b25a;--bad:#ff9d94;\
    --amber:#b98526;--red:#d9665d}}
    *{box-sizing:border-box}
    html{scroll-padding-top:64px}
    body{margin:0;background:var(--ground);color:var(--ink);font:14px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,\
    "Liberation Sans","DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums}
    a{color:var(--accent);text-underline-offset:2px;text-decoration-thickness:1px}
    :focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}
    main:focus-visible{outline:0}
    .skip{position:absolute;left:-999px}.skip:focus{left:8px;top:8px;z-index:2;background:var(--ground);padding:8px 12px}
    .hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
    header{position:sticky;top:0;z-index:1;border-bottom:1px solid var(--line);background:var(--raised)}
    header>div,main,footer{max-width:1200px;margin:0 auto;padding:0 24px}
    header>div{display:flex;align-items:center;gap:0 20px;min-height:48px}
    header strong{display:flex;align-items:center;gap:8px;font-weight:600;white-space:nowrap}
    header img{width:18px;height:18px;display:block}
    nav{display:flex;gap:2px;flex:1}
    nav a{padding:5px 10px;border-radius:6px;color:var(--soft);text-decoration:none;white-space:nowrap}
    nav a:hover{color:var(--ink)}nav a[aria-current]{color:var(--ink);background:var(--line);font-weight:550}
    .who{display:flex;align-items:center;gap:10px;white-space:nowrap}
    .who button{min-height:28px;padding:2px 10px;font-size:13px;border-color:var(--line)}
    main{padding-top:24px;padding-bottom:24px}
    .title{display:flex;flex-wrap:wrap;align-items:baseline;gap:4px 12px;margin:0 0 16px}
    h1{font-size:21px;line-height:1.3;margin:0;font-weight:600;letter-spacing:-.01em;overflow-wrap:anywhere}
    h2{font-size:14px;margin:28px 0 8px;font-weight:600}
    p{margin:0 0 12px;max-width:76ch}.soft,small,dt,th,footer,legend{color:var(--soft)}
    small{font-size:12px}
    .scroll{overflow-x:auto;border:1px solid var(--line);border-radius:8px}
    table{border-collapse:collapse;width:100%}
    th{font-weight:500;font-size:12px;background:var(--raised);white-space:nowrap}
    th,td{text-align:left;padding:6px 12px;border-bottom:1px solid var(--line);vertical-align:top}
    tbody tr:last-child>*{border-bottom:0}tbody tr:hover td{background:var(--raised)}
    td a,li a{text-decoration-color:var(--pale)}td a:hover,li a:hover{text-decoration-color:currentcolor}tr.here td{background:var(--raised);font-weight:550}
    .n{text-align:right;white-space:nowrap}
    time,.d{white-space:nowrap}time small{margin-left:4px}
    code,pre{font:12.5px/1.55 ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
    pre{white-space:pre-wrap;background:var(--raised);border:1px solid var(--line);border-radius:8px;padding:12px;\
    margin:0 0 12px;max-height:32em;overflow:auto}
    dl{display:grid;grid-template-columns:minmax(96px,max-content) 1fr;gap:4px 20px;margin:0 0 16px}
    dd{margin:0;overflow-wrap:anywhere}
    .outcome{font-weight:550;white-space:nowrap}.applied,.unchanged,.yes{color:var(--good)}
    .ignored{color:var(--soft)}.parked,.quarantined{color:var(--warn)}.failed,.rejected,.no{color:var(--bad)}
    .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(128px,1fr));gap:8px;list-style:none;padding:0;margin:0 0 12px}
    .tiles a,.tiles span{display:block;height:100%;padding:10px 14px 12px;border:1px solid var(--line);border-radius:8px;\
    text-decoration:none;color:inherit}
    .tiles a:hover{border-color:var(--accent)}.tiles small{display:block}
    .tiles b{display:block;font-size:22px;line-height:1.3;font-weight:600;letter-spacing:-.01em}
    .tiles .warn b{color:var(--warn)}.tiles .bad b{color:var(--bad)}
    .two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:0 32px}
    .two>*{min-width:0}.two td time small{display:block;margin:0}
    form.row{display:flex;flex-wrap:wrap;gap:8px 12px;align-items:end;margin:0 0 16px}
    form.act{border:1px solid var(--line);border-radius:8px;padding:16px;margin:0 0 16px;max-width:640px}
    form.act>*{margin:0 0 12px}form.act>:last-child{margin:0}
    label{display:block;font-size:12px;color:var(--soft)}label>*{display:block;margin-top:2px}
    input,select,button,.button{font:inherit;font-size:14px;color:var(--ink);background:var(--ground);\
    border:1px solid var(--soft);border-radius:6px;padding:5px 10px;min-height:34px;max-width:100%}
    input.long{width:360px}
    button,.button{cursor:pointer;text-decoration:none;display:inline-block}button:hover,.button:hover{border-color:var(--accent)}
    button.main{background:var(--accent);border-color:var(--accent);color:var(--on);font-weight:550}
    .acts{display:flex;flex-wrap:wrap;gap:4px 16px;align-items:baseline}
    .note{border-left:3px solid var(--accent);background:var(--raised);padding:8px 14px;margin:0 0 12px;\
    border-radius:0 6px 6px 0}
    .note.warn{border-color:var(--amber)}.note.bad{border-color:var(--red)}
    ol.line{list-style:none;margin:0;padding:0 0 0 16px;border-left:2px solid var(--line)}
    ol.line li{margin:0 0 14px}ol.line div{overflow-wrap:anywhere;font-weight:550}
    ol.line code{display:block;color:var(--soft)}ol.line code.change{color:var(--ink)}
    svg{display:block}.bar{width:100%;min-width:90px;height:10px;margin-top:6px}
    .chart{margin:0 0 8px}.chart>small{display:block;line-height:1.2}.chart>svg{width:100%;height:96px;\
    border-bottom:1px solid var(--line)}.chart>div{display:flex;justify-content:space-between}
    .c0{fill:var(--accent)}.c1{fill:var(--pale)}.c2{fill:var(--amber)}.c3{fill:var(--red)}.c4{fill:var(--line)}
    .key{display:flex;flex-wrap:wrap;gap:2px 14px;font-size:12px;color:var(--soft);margin:0 0 10px;padding:0;list-style:none}
    .key svg{width:10px;height:10px;display:inline-block;margin-right:5px}
    details{margin:0 0 12px}summary{cursor:pointer;color:var(--soft);font-size:12px}
    details[open] summary{margin-bottom:6px}
    .pages{margin:12px 0 0}
    footer{padding-bottom:28px;font-size:12px}footer p{max-width:none}footer code{font-size:12px}
    @media(max-width:900px){header{position:static}header>div{flex-wrap:wrap;padding-top:8px}nav{order:3;flex:1 0 100%;\
    overflow-x:auto;margin:0 -14px;padding:4px 14px 8px}.who{margin-left:auto}}
    @media(max-width:600px){header>div,main,footer{padding-left:14px;padding-right:14px}main{padding-top:16px}\
    th,td{padding:6px 9px}.w{display:none}time small{display:block;margin:0}\
    .tiles b{font-size:18px}.stack thead{position:absolute;clip-path:inset(50%)}.stack tr{display:block;padding:6px 0;border-bottom:1px solid \
    var(--line)}.stack td{display:inline-block;border:0;padding:2px 9px;text-align:left}.stack td:first-child,\
    .stack td:has(.acts){display:block}.stack .w{display:none}.stack td[data-of]:after{content:" " attr(data-of);color:var(--soft)}\
    dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:6px}input.long{width:100%}label:has(.long){width:100%}}
    @media(prefers-reduced-motion:no-preference){a,button,.button{transition:border-color .12s,color .12s}}
    @media print{header,footer,.acts,form{display:none}}
    """
