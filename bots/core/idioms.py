"""Set phrases that look like an instruction or a command, and open the description of a picture.

"Make it rain, a banker throwing bills" asks for no change to a picture. A phrase counts where a
description follows it after a comma, a colon or a dash; alone it may be meant literally. Pure.
"""

from __future__ import annotations

import re
import unicodedata

from bots.core.instructions import reads_as_instruction

_PHRASES = """
make it rain
make it snow
make it so
make it work
make it count
make it last
make it pop
make love not war
make my day
make a wish
make way for the king
make yourself at home
make some noise
make hay while the sun shines
make ends meet
make up your mind
make lemonade
let it be
let it go
let him cook
let her cook
let it snow
let it rain
let it burn
let them eat cake
let the games begin
let sleeping dogs lie
let there be light
let the sunshine in
put a ring on it
put a spell on you
put your hands up
put your records on
put the kettle on
put the fun in funeral
put some respect on my name
add to cart
add to basket
add insult to injury
add fuel to the fire
add it up
turn the page
turn the tables
turn back time
turn the other cheek
turn it up
turn up the volume
turn the lights off
turn a blind eye
turn over a new leaf
turn around bright eyes
change the world
change my mind
change is coming
change of heart
remove before flight
remove the mask
give him a hand
give me a hand
give it up
give peace a chance
give a dog a bone
give them hell
give it a rest
give him the boot
give up the ghost
give me liberty
do the robot
do the twist
do the right thing
do the math
do the laundry
do it yourself
do or die
do not disturb
do not enter
don't stop believing
don't stop me now
don't feed the animals
don't look back
don't panic
don't worry be happy
don't forget the milk
raise the flag
raise the roof
raise the bar
raise your glass
lower the flag
lower the bar
lose the battle
lose yourself
drop the bass
drop the mic
drop the beat
drop it like it's hot
keep it simple
keep the change
keep the faith
keep calm
keep off the grass
fix you
fix it felix
cut the cake
cut it out
cut the rope
break the ice
break a leg
break the chains
break the rules
bend the knee
bring it on
bring the noise
bring back the 90s
push the button
push the limits
pull the trigger
pull the plug
fill the void
fill the cup
cover me
hide and seek
hide your kids
swap meet
switch off the light
mirror mirror on the wall
try again fail better
try me
move it move it
move over
move fast and break things
shift happens
set it on fire
set me free
set the table
set the world on fire
take it easy
take me home
take the money and run
take me to church
take off
have it your way
have a nice day
leave me alone
leave the door open
leave no trace
leave it to beaver
paint it black
paint the town red
color me surprised
it should have been me
it needs to be seen to be believed
it has to be seen to be believed
it could be worse
it was a dark and stormy night
it is what it is
could it be magic
could be worse
i want it all
i want to break free
i want you
without a trace
without you
too cool for school
too many cooks
too hot to handle
too big to fail
more is more
same same but different
the show must go on
stop and smell the roses
stop the clocks
stop the press
stop in the name of love
stop making sense
cancel culture
cancel everything
undo the past
undo the knot
forget about it
forget me not
forget paris
back to the future
back to basics
back to black
back to school
once more with feeling
one more time
one more night
again and again
never mind the bollocks
where is everybody
where are they now
how much is that doggy in the window
how long is forever
are we there yet
what's left behind
thank you next
delete your account
delete history
erase and rewind
annule et remplace
arrête ton char
arrête le temps
arrête ton cinéma
stop au gaspillage
laisse béton
laisse aller
laisse le cuisiner
laisse la cuisiner
laisse le bon temps rouler
laisse tomber les filles
laisse tomber la neige
laissez-moi danser
laisse parler les gens
retour à l'envoyeur
retour vers le futur
retour aux sources
efface tes larmes
efface le tableau
efface l'ardoise
oublie-moi
ne m'oublie pas
ne me quitte pas
n'oublie pas le pain
ne tirez pas
ne pas déranger
ne pas nourrir les pigeons
fais pas ci fais pas ça
fais comme chez toi
fais-moi rire
fais-moi peur
fais-moi un signe
fais-moi une place
fais un vœu
fais le beau
fais le mort
fais la vaisselle
fais la fête
fais dodo
fais gaffe à la marche
faites l'amour pas la guerre
faites vos jeux
faites du bruit
faites entrer l'accusé
faites comme chez vous
mets les voiles
mets de l'huile
mets la gomme
mets le feu
mets les gaz
mets ton manteau
mets tes lunettes
mets du soleil dans ta vie
mets-toi à table
mettez les voiles
mets-lui le grappin
change pas de main
change de disque
change de vie
changer le monde
changez tout
ajoute une corde à ton arc
ajoute un couvert
ajoute de la vie aux années
ajouter au panier
enlève ton masque
enlève ta chemise
enlève tes chaussures
enlevez le haut
enlève le pansement
remets ton manteau
remets le couvert
remets du bois dans le feu
rends-moi mon chat
rends l'argent
rends à césar
donne-moi la main
donne du temps au temps
donne ta langue au chat
donnez-lui de l'amour
donnez-moi du temps
donne la patte
coupe le son
coupe ton moteur
tourne la page
tourne le dos
tournez manège
ouvre la bouche
ouvre la cage aux oiseaux
ferme la porte
ferme les yeux
garde la pêche
garde le sourire
garde la monnaie
remplace ton écran
lâche l'affaire
lâche-moi la grappe
lâche prise
baisse les bras
baisse le son
monte le son
lève les yeux au ciel
plus belle la vie
plus fort que toi
plus haut que les nuages
plus vite que la musique
moins de biens plus de liens
moins c'est plus
trop belle pour toi
trop de la balle
et si on s'aimait
et si c'était vrai
il faut le voir pour le croire
il faut sauver le soldat ryan
il faut tourner la page
il pleut il mouille
il manque une case
on est bientôt arrivés
encore un matin
encore une fois
encore et encore
une dernière fois
merci patron
merci pour tout
bonjour tristesse
bonjour l'ambiance
salut les copains
c'est encore loin
combien de temps encore
où est charlie
où sont les femmes
qui veut gagner des millions
sans toi ni loi
sans famille
au secours pardon
à l'aide la mer monte
""".strip().splitlines()  # each is the beginning of a message


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("’", "'")).casefold()
    letters = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(letters.replace("-", " ").split())


_LONGEST_FIRST = sorted({re.escape(_folded(phrase)) for phrase in _PHRASES}, key=len, reverse=True)
_IDIOM = re.compile(
    rf"(?:{'|'.join(_LONGEST_FIRST)})"
    r"(?:(?: ?[,:] ?| [–—] )(?P<described>.+)|(?P<unmarked> (?:but|mais) .+))"
)


def opens_with_idiom(text: str) -> bool:
    """Whether a message is a set phrase and, set apart from it, what the picture shows."""
    match = _IDIOM.fullmatch(_folded(text[:300]))
    if match is None:
        return False
    if match["unmarked"]:
        return True
    described = match["described"]
    return (
        len(described.split()) >= 2
        and not reads_as_instruction(described)
        and not re.match(
            r"(?:please|pls|stp|svp|and|et|then|puis|but|more|less|plus|moins|a bit|un peu)\b",
            described,
        )
    )
