//! Traditional Chinese characters in the simplified form that wordings have.

use std::sync::LazyLock;

/// Traditional characters whose simplified form is in a wording, in the order of Unicode.
/// From the tables of OpenCC (Apache-2.0).
const TRADITIONAL: &str = "\
    丟並乾亂併來侷係俬倉個們偵備傢傳傷價儀儘償優儲兒內冊凈別則剋剛劃劇勁動務勞勸協厤厭員唸問\
    啞喫單嗎嘔噁噹嚨嚮嚴囑國圖團執堅報場壓夠夥夾婦媽嬤嬰孫學實寧寫寶將專尋對尷島嵗師帳帶幫幹\
    幾廢廣弔強彆彎後徑從復徹悶惡態慮慾憂應懲懷戀戲戶捱掛搶摺撐撥擊擔擾敎敵斷時暈曆曏書會朮東\
    査條業榦構樂樓樣橋機檢檯權歲歷殘殺殻殼氣決沒淨減準溼滿潰濕濟瀉為無煙煩熱燈燒燙營爛爲爺爾\
    狀獃現環產産甯畢畫畵當瘍瘓瘡療癇癡癢癥癬癱癲發盜盡監盤眞睏睜瞞確禱稟筆箇節範簡糰紀紅級紮\
    結絕給統絶綁綑經綫維網緊線總繩繫繼續纍纔罰羣義翫聯聰職聽聾脈脩脫脹腎腦腫腳腸膚膩膿臉臟臨\
    臺舉菸萬著葯蓋蕁藍藥處虛號蠶術衕衛裏裝裡製複覈見規視覺觸訂託記訟訣訪設許訴診註証詐評詢試\
    話該誤說説誰課請論諮諸證議護讀讓貓貝負貧責貴買費資賞賠賣質賬購贅趕躍車軌軍軟輕輪轉辦農迴\
    這週進遊過違遠適遺還邊鄉醜醣醫釦鈕銀鋪錢錶鍋長門閉開間閤閨闆關陽隊險隻雙離難電霧響頂須預\
    頭頸顆題額願顯風颱颳餓餘馬騙騷髒體髮鬆鬚鬧鬱鮮麪麫麵麼麽點鼕齒齡齣齦\
    ";

/// The simplified form of each.
const SIMPLIFIED: &str = "\
    丢并干乱并来局系私仓个们侦备家传伤价仪尽偿优储儿内册净别则克刚划剧劲动务劳劝协历厌员念问\
    哑吃单吗呕恶当咙向严嘱国图团执坚报场压够伙夹妇妈嬷婴孙学实宁写宝将专寻对尴岛岁师帐带帮干\
    几废广吊强别弯后径从复彻闷恶态虑欲忧应惩怀恋戏户挨挂抢折撑拨击担扰教敌断时晕历向书会术东\
    查条业干构乐楼样桥机检台权岁历残杀壳壳气决没净减准湿满溃湿济泻为无烟烦热灯烧烫营烂为爷尔\
    状呆现环产产宁毕画画当疡痪疮疗痫痴痒症癣瘫癫发盗尽监盘真困睁瞒确祷禀笔个节范简团纪红级扎\
    结绝给统绝绑捆经线维网紧线总绳系继续累才罚群义玩联聪职听聋脉修脱胀肾脑肿脚肠肤腻脓脸脏临\
    台举烟万着药盖荨蓝药处虚号蚕术同卫里装里制复核见规视觉触订托记讼诀访设许诉诊注证诈评询试\
    话该误说说谁课请论咨诸证议护读让猫贝负贫责贵买费资赏赔卖质账购赘赶跃车轨军软轻轮转办农回\
    这周进游过违远适遗还边乡丑糖医扣钮银铺钱表锅长门闭开间合闺板关阳队险只双离难电雾响顶须预\
    头颈颗题额愿显风台刮饿余马骗骚脏体发松须闹郁鲜面面面么么点冬齿龄出龈\
    ";

static PAIRS: LazyLock<Vec<(char, char)>> =
    LazyLock::new(|| TRADITIONAL.chars().zip(SIMPLIFIED.chars()).collect());

/// The simplified form of a character, or the character.
pub(super) fn simplified(c: char) -> char {
    if c.is_ascii() {
        return c;
    }
    let place = PAIRS.binary_search_by_key(&c, |(traditional, _)| *traditional);
    place.map_or(c, |place| PAIRS[place].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_traditional_character_has_a_simple_form() {
        assert_eq!(TRADITIONAL.chars().count(), SIMPLIFIED.chars().count());
        assert!(TRADITIONAL.chars().is_sorted());
        for c in TRADITIONAL.chars() {
            let simple = simplified(c);
            assert_ne!(simple, c);
            assert_eq!(simplified(simple), simple, "twice changes nothing");
        }
        assert_eq!((simplified('殺'), simplified('爺')), ('杀', '爷'));
        assert_eq!((simplified('a'), simplified('杀'), simplified('の')), ('a', '杀', 'の'));
    }
}
