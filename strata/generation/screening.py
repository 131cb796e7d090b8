"""Text of users and items is data: what reads as an order to a model is left out of prompts and of texts."""

import re
import unicodedata
from typing import Final

ORDERS: Final = (
    r"\b(ignor|disregard|forget|overrid|bypass|skip)\w*\b.{0,40}\b(previous|prior|above|earlier|all|any|your|the|these|those|every)"
    r"\b.{0,30}\b(instruct|prompt|rule|direct|order|guid|message|context|polic|restrict|filter|everything|task|said|told)",
    r"\b(system|developer|hidden|initial|original|secret)\W{0,3}(prompt|message|instruction|note|override|mode)",
    r"\b(reveal|print|show|repeat|output|leak|display|tell|give|share|write|quote|dump|recite|say)\b.{0,40}"
    r"\b(prompt|instruction|system message|api.?key|password|secret|rules you|configuration|credential)",
    r"\byou are (now|no longer|actually|an?|the|going)\b|\byou('re| are) (an? )?(ai|assistant|model|bot)\b|\b(act|behave|respond|pretend|play|pose)\w* (as|like|to be|you are)\b",
    r"\b(new|updated|important|real|special|following) (instruction|task|rule|order|directive|objective)s?\b",
    r"\b(instruct\w*|note|attention|message|hint|memo|dear|hey|hello) ?(to|for)?,? (the )?(ai|assistant|model|llm|language model|chat ?bot|bot|recommender|summari[sz]er|system)\b",
    r"\b(assistant|chat ?bot|llm|language model|ai|recommender|summari[sz]er)\b.{0,30}\b(must|should|please|shall|will|needs? to|has to|reply|respond|say|write|answer|output)\b",
    r"\b(end|start|begin|stop)\w*[ _-]*(of)?[ _-]*(the )?(prompt|instruct|system|data|evidence|context|input|text|user)",
    r"\b(only|always|never|must|just|instead|please|now|then)\b.{0,20}\b(recommend|reply|respond|answer|output|say|print|write|mention|append|insert|include|translate|summari[sz]e)\b",
    r"^\W*(recommend|reply|respond|answer|output|print|say|write|append|insert|translate|summari[sz]e|execute|decode|promote|rank|repeat)\b.{0,60}"
    r"\b(only|with|this|exactly|word|following|item|instead|that|above|all|just|please)\b",
    r"\b(do not|don't|stop) (follow|obey|use|mention|summari[sz]|recommend|tell|describ|continu)\w*",
    r"\b(jailbreak|dan mode|do anything now|prompt injection|base64|rot13|sudo|developer mode|debug mode|god mode|admin mode|root access|eval\()",
    r"<\|?\s*/?\s*(im_start|im_end|system|user|assistant|endoftext|eot|bos|eos|s|sys|prompt|instructions?|script|img|iframe)\b[^>]*\|?>|</s>|\[/?(inst|sys|system|user|assistant)\]|<<\s*/?sys\s*>>",
    r"(^|\n|\s)#{1,6}\s*(system|instruct|task|new|prompt|user|assistant|response|output|end)|```|^\s*(system|assistant|user|human|ai|task|instructions?|output|prompt)\s*[:：>]|\b(system|assistant|instructions?)\s*[:：]",
    r"!?\[[^\]]*\]\((https?:|javascript:|data:)[^)]*\)|\{\{.*\}\}|\$\{.*\}",
    r"(?-i:(?<![A-Za-z0-9+/])(?=[A-Z0-9+/]*[a-z])(?=[a-z0-9+/]*[A-Z])(?=[A-Za-z+/]*\d|\w*[a-z][A-Z]\w*[a-z][A-Z])[A-Za-z0-9+/]{20,})",
    r"[\"'”]\s*[},;]+\s*[\[{\"]|[\"'”]\s*\}|;\s*--|\bdrop table\b|\\n|%0a",
    r"\b(say|write|add|append|insert|reply|tell|print|output|answer|include|mention|state|type|begin|start|end|finish|sign)\b.{0,24}[\"“«]",
    r"\bwhen(ever)? (you|summari[sz]|describ|recommend|asked|answer|writ)\w*\b.{0,40}\b(summari[sz]e|describe|write|recommend|answer|reply|add|this|say)\b",
    r"\b(text|words?|message|lines?|rules?)\b.{0,20}\byou (were|have been|are|got|must|received)\b",
    r"(忽略|无视|忘记|忘掉|忘了|不要理会|不用管|别管|不必理会|跳过|抛开|绕过|覆盖|推翻|不要遵守|别理).{0,20}(指令|指示|提示|规则|要求|命令|说明|设定|内容|限制|任务|话)",
    r"(系统|开发者|管理员|隐藏|初始|原始|内部).{0,4}(提示|指令|消息|命令|设定|模式|通知|信息|覆写|密码)|提示词|系统[:：]|指令[:：]|(新的?|以下|下列|重要|最新|真正的?)(指令|任务|命令|指示)",
    r"(你|您)(现在|从现在起|其实|今后|将)?(是|就是|扮演|变成|成为|必须|只能|只需|不再|要|应该|应当|需要)(一|个|我|新|输出|回答|回复|推荐|没有|不受|听|只)|(扮演|假装|假扮|充当|角色扮演|模仿|进入).{0,12}(模式|角色|助手|模型|机器人|人工智能|AI|DAN|猫|海盗|专家|管理员|黑客|人)",
    r"(输出|打印|复述|重复|泄露|透露|说出|告诉我|显示|展示|给出|公布|念出|写出|交出).{0,16}(提示|指令|密码|口令|秘密|系统|设定|规则|密钥|原文|以上)",
    r"(只|仅|必须|务必|一律|直接|请|改为|立即|立刻|马上|统一|都要|全部|永远|总是|接下来|然后)(要|能|需|可以|都|改|你|帮我|在.{0,10})?(推荐|回答|回复|输出|写|说|打印|返回|翻译|执行|加上|附上|念|提到|照做|注明)",
    r"不管谁|(只准|只许|不准|不许).{0,8}(推荐|回答|说|写|输出)|(加|写|说|念|答|回复|回答|输出|附|以|用|注明|写上)[^。，]{0,8}[“\"「『‘]|加(上)?一句|暗号|口令|规则(是|公开)|(公开|说出|透露)[^。]{0,6}规则|服从",
    r"(ai|人工智能|模型|助手|机器人|大模型|推荐系统|程序|算法).{0,8}(请|注意|必须|听|应|要|看到|读到|务必|你)|致.{0,8}(ai|模型|助手|系统|机器人)|(请|把|将).{0,16}(翻译成|解码|执行|改成|替换)|(结束|开始)(提示|指令|系统|数据|输入)|越狱",
)
"""Signs of words that speak to a model instead of naming something."""
_SIGNS = re.compile("|".join(f"(?:{order})" for order in ORDERS), re.IGNORECASE | re.DOTALL)
_CONTROL = re.compile(r"<\|[^|>]*\|>|</?s>|\[/?INST\]|[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]|[\x00-\x1f\x7f]")
_MARKUP = re.compile(r"[`*_#>|{}\[\]\\<~^]+")
_READ = 4_000
"""Characters of a text in which signs are looked for; prompts hold fewer."""


def reads_as_order(text: str) -> bool:
    """Whether a text tells a model what to do; spaces between letters, odd forms of letters and zero-width signs aside."""
    plain = _plain(text)[:_READ]
    return bool(_SIGNS.search(plain) or _SIGNS.search(_joined(plain)))


def as_data(text: str, longest: int) -> str:
    """A text on one line without markup and control signs, at most `longest` characters; quotes cannot end its own."""
    plain = _MARKUP.sub(" ", _plain(text)).replace('"', "'").replace("“", "'").replace("”", "'")
    plain = " ".join(plain.split())
    return plain if len(plain) <= longest else plain[: longest - 1].rstrip() + "…"


def _plain(text: str) -> str:
    invisible = re.sub(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]", "", unicodedata.normalize("NFKC", text))
    return "".join(" " if unicodedata.category(sign) == "Cc" and sign != "\n" else sign for sign in invisible)


def _joined(text: str) -> str:
    """The text with letters that stand alone, as in i g n o r e, written as words."""
    return re.sub(r"\b(?:\w[ .\-_]){4,}\w\b", lambda match: re.sub(r"[ .\-_]", "", match.group()), text)
